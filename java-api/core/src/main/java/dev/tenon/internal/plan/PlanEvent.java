package dev.tenon.internal.plan;

import jdk.jfr.Category;
import jdk.jfr.DataAmount;
import jdk.jfr.Description;
import jdk.jfr.Enabled;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** JFR: A plan was made for new input shapes. */
@Name("dev.tenon.Plan")
@Label("Plan")
@Category("Tenon")
@Description("A plan was made for new input shapes.")
@StackTrace(false)
@Enabled(true)
public final class PlanEvent extends Event {
    @Label("Model")
    public String model = "";

    @Label("Input Types")
    public String inputs = "";

    @Label("Segments")
    public int segments;

    @Label("Working Memory")
    @DataAmount
    public long arenaBytes;
}
