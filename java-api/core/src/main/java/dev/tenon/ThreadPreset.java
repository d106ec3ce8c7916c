package dev.tenon;

/** What the cores of the process are for. Whatever is chosen, running threads of all engines never exceed the cores. */
public enum ThreadPreset {
    /** One run at a time has all cores: the shortest time for a single answer. */
    LATENCY,
    /** Each run has one core, and as many run at once as there are cores: the most answers a second. */
    THROUGHPUT
}
