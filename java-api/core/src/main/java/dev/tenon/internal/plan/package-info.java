/**
 * From a graph with open dimensions to what runs for given ones. Entry classes: {@link dev.tenon.internal.plan.Planner}
 * makes a {@link dev.tenon.internal.plan.Plan}, {@link dev.tenon.internal.plan.PlanCache} keeps them, {@link
 * dev.tenon.internal.plan.PlanInstance} runs one; {@link dev.tenon.internal.plan.MemoryPlan} places buffers in an arena.
 *
 * <p>Knows devices through the service interface only, and no native bindings.
 */
@NullMarked
package dev.tenon.internal.plan;

import org.jspecify.annotations.NullMarked;
