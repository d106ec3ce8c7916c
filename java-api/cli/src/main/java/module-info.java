/** The {@code tenon} command. */
module dev.tenon.cli {
    requires dev.tenon;
    requires info.picocli;
    requires java.desktop;
    requires me.tongfei.progressbar;
    requires static org.jspecify;

    opens dev.tenon.cli to
            info.picocli;
}
