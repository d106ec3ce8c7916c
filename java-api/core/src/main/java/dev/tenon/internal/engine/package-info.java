/**
 * What an engine holds, how it is built from a model, and its file. Entry classes: {@link
 * dev.tenon.internal.engine.EngineBuild} makes a {@link dev.tenon.internal.engine.CompiledModel}, {@link
 * dev.tenon.internal.engine.EngineFile} writes and maps one. {@link dev.tenon.internal.engine.Lanes} keeps running threads
 * within the cores.
 *
 * <p>Must not depend on Engine and Session, nor on the native bindings.
 */
@NullMarked
package dev.tenon.internal.engine;

import org.jspecify.annotations.NullMarked;
