/** Tenon: compile an ONNX model once into an engine, run it with one native call. */
module dev.tenon {
    requires static transitive org.jspecify;

    exports dev.tenon;
}
