package dev.tenon.internal.ir;

import java.util.concurrent.atomic.AtomicLong;

/** Numbers the dimensions of which nothing is known, so that no two of them are equal. */
final class UnknownCounter {
    static final AtomicLong NEXT = new AtomicLong();

    private UnknownCounter() {}
}
