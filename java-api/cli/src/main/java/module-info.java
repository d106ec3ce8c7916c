/** The {@code tenon} command. */
module dev.tenon.cli {
    requires dev.tenon;
    requires info.picocli;
    requires static org.jspecify;

    opens dev.tenon.cli to
            info.picocli;
}
