/**
 * The {@code tenon} command, one class a subcommand. Entry class: {@link dev.tenon.cli.Main}.
 *
 * <p>Must not hold logic that a Java program would miss: what it shows comes from the core.
 */
@NullMarked
package dev.tenon.cli;

import org.jspecify.annotations.NullMarked;
