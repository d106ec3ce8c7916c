package dev.tenon.internal.memory;

import jdk.jfr.Category;
import jdk.jfr.DataAmount;
import jdk.jfr.Description;
import jdk.jfr.Enabled;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** JFR: Native memory was taken for a tensor, an arena or a scope. */
@Name("dev.tenon.Allocation")
@Label("Native allocation")
@Category("Tenon")
@Description("Native memory was taken for a tensor, an arena or a scope.")
@StackTrace(true)
@Enabled(false)
public final class AllocationEvent extends Event {
    @Label("Owner")
    public String owner = "";

    @Label("Size")
    @DataAmount
    public long bytes;
}
