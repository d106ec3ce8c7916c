package dev.tenon;

/**
 * Where an engine runs.
 *
 * @param kind the kind of device, such as {@code cpu}
 * @param index which one of its kind; 0 for the processor
 */
public record Device(String kind, int index) {
    /** The processor. */
    public static final Device CPU = new Device("cpu", 0);

    /**
     * Reads {@code cpu}, {@code cuda:0} or {@code tensorrt:0}; the index may be left out. Whether the device is there shows
     * when an engine is built for it.
     *
     * @throws IllegalArgumentException if the text has another form
     */
    public static Device parse(String text) {
        int colon = text.indexOf(':');
        String kind = colon < 0 ? text : text.substring(0, colon);
        try {
            int index = colon < 0 ? 0 : Integer.parseInt(text.substring(colon + 1));
            if (kind.matches("[a-z]+") && index >= 0) {
                return new Device(kind, index);
            }
        } catch (NumberFormatException e) {
            // The message below says what was expected.
        }
        throw new IllegalArgumentException("device '" + text + "' was expected to look like cpu, cuda:0 or tensorrt:0");
    }

    @Override
    public String toString() {
        return kind.equals("cpu") ? kind : kind + ":" + index;
    }
}
