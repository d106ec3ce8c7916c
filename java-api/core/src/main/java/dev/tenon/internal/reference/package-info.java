/**
 * Runs graphs with the operators' plain Java references: the oracle of tests, the constant folder, and what runs where a
 * device has no kernel. Entry class: {@link dev.tenon.internal.reference.Interpreter}.
 *
 * <p>Must not depend on passes, plans or devices.
 */
@NullMarked
package dev.tenon.internal.reference;

import org.jspecify.annotations.NullMarked;
