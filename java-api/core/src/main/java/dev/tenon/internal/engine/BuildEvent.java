package dev.tenon.internal.engine;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Enabled;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** JFR: An ONNX model was imported and optimised. */
@Name("dev.tenon.Build")
@Label("Engine build")
@Category("Tenon")
@Description("An ONNX model was imported and optimised.")
@StackTrace(false)
@Enabled(true)
public final class BuildEvent extends Event {
    @Label("File")
    public String file = "";

    @Label("Nodes in the Model")
    public int nodesBefore;

    @Label("Nodes in the Engine")
    public int nodesAfter;
}
