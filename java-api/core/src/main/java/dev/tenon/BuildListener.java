package dev.tenon;

/** Is told how far the building of an engine has come. Called on the building thread. */
@FunctionalInterface
public interface BuildListener {
    /**
     * @param phase what is being done, such as {@code import} or a pass's name
     * @param done phases finished
     * @param total phases in all
     */
    void progress(String phase, int done, int total);
}
