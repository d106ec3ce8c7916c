/** Tenon: compile an ONNX model once into an engine, run it with one native call. */
@SuppressWarnings("module")
module dev.tenon {
    requires static transitive org.jspecify;
    requires jdk.jfr;

    exports dev.tenon;
    // For Tenon's own modules alone:
    exports dev.tenon.spi to
            dev.tenon.cli,
            dev.tenon.cuda,
            dev.tenon.tensorrt;
    exports dev.tenon.internal.cpu to
            dev.tenon.cli;
    exports dev.tenon.internal.engine to
            dev.tenon.cli;
    exports dev.tenon.internal.ffi to
            dev.tenon.cli;
    exports dev.tenon.internal.ir to
            dev.tenon.cli,
            dev.tenon.cuda,
            dev.tenon.tensorrt;
    exports dev.tenon.internal.memory to
            dev.tenon.cli,
            dev.tenon.cuda,
            dev.tenon.tensorrt;
    exports dev.tenon.internal.onnx to
            dev.tenon.cli;
    exports dev.tenon.internal.op to
            dev.tenon.cuda,
            dev.tenon.tensorrt;
    exports dev.tenon.internal.pass to
            dev.tenon.cli;
    exports dev.tenon.internal.plan to
            dev.tenon.cli;
    exports dev.tenon.internal.reference to
            dev.tenon.cli;
}
