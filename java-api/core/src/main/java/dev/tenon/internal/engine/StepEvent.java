package dev.tenon.internal.engine;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Enabled;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** JFR: One native step of a run; enabling it runs every step timed. */
@Name("dev.tenon.Step")
@Label("Step")
@Category("Tenon")
@Description("One native step of a run; enabling it runs every step timed.")
@StackTrace(false)
@Enabled(false)
public final class StepEvent extends Event {
    @Label("Model")
    public String model = "";

    @Label("Kind")
    public String kind = "";

    @Label("Name")
    public String step = "";

    @Label("Implementation")
    public String implementation = "";

    @Label("Time")
    @Description("Nanoseconds")
    public long nanos;
}
