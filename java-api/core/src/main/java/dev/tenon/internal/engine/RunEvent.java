package dev.tenon.internal.engine;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Enabled;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** JFR: A session ran its model. */
@Name("dev.tenon.Run")
@Label("Run")
@Category("Tenon")
@Description("A session ran its model.")
@StackTrace(false)
@Enabled(false)
public final class RunEvent extends Event {
    @Label("Model")
    public String model = "";

    @Label("Wait")
    @Description("Nanoseconds that the run waited for cores")
    public long waitNanos;

    @Label("Threads")
    public int threads;
}
