package dev.tenon.internal.engine;

import jdk.jfr.Category;
import jdk.jfr.DataAmount;
import jdk.jfr.Description;
import jdk.jfr.Enabled;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** JFR: An engine file was mapped. */
@Name("dev.tenon.Load")
@Label("Engine load")
@Category("Tenon")
@Description("An engine file was mapped.")
@StackTrace(false)
@Enabled(true)
public final class LoadEvent extends Event {
    @Label("File")
    public String file = "";

    @Label("Size")
    @DataAmount
    public long bytes;
}
