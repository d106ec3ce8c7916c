/**
 * The operators, one file each: how it is imported, its shape rule, what it means. Entry class: {@link
 * dev.tenon.internal.op.OpSet}, the list of all that can be imported; operators that only passes make are not in it.
 *
 * <p>Must not depend on passes, plans, devices or the native bindings: an operator is the same wherever it runs.
 */
@NullMarked
package dev.tenon.internal.op;

import org.jspecify.annotations.NullMarked;
