package dev.tenon.internal.pass;

import dev.tenon.internal.ir.Value;
import dev.tenon.internal.op.Binary;
import dev.tenon.internal.op.BinaryFn;
import dev.tenon.internal.op.Unary;
import dev.tenon.internal.op.UnaryFn;
import org.junit.jupiter.api.Test;

class FuseGeluTest {
    private static final Pass PASS = new FuseGelu();
    private static final Binary ADD = new Binary(BinaryFn.ADD);
    private static final Binary MUL = new Binary(BinaryFn.MUL);
    private static final Binary DIV = new Binary(BinaryFn.DIV);
    private static final Binary POW = new Binary(BinaryFn.POW);

    @Test
    void findsTheErrorFunction() {
        PassCheck.rewrites(PASS, "quotient", b -> {
            Value x = b.floats("x", "N", 4);
            Value half = b.node("half", MUL, x, onePlusErf(b, b.node("d", DIV, x, b.scalar(Math.sqrt(2)))));
            return b.graph(b.node("y", MUL, half, b.scalar(0.5)));
        });
        PassCheck.rewrites(PASS, "product", b -> {
            Value x = b.floats("x", "N", 4);
            Value one = onePlusErf(b, b.node("d", MUL, b.scalar(Math.sqrt(0.5)), x));
            return b.graph(b.node("y", MUL, one, b.node("half", MUL, b.scalar(0.5), x)));
        });
    }

    @Test
    void findsTheHyperbolicTangent() {
        PassCheck.rewrites(PASS, "tanh", b -> {
            Value x = b.floats("x", "N", 4);
            Value cube = b.node("cube", POW, x, b.scalar(3));
            Value sum = b.node("sum", ADD, x, b.node("term", MUL, cube, b.scalar(0.044715)));
            Value argument = b.node("argument", MUL, sum, b.scalar(Math.sqrt(2 / Math.PI)));
            Value one = b.node("one", ADD, b.node("tanh", Unary.of(UnaryFn.TANH), argument), b.scalar(1));
            return b.graph(b.node("y", MUL, b.node("half", MUL, x, b.scalar(0.5)), one));
        });
    }

    @Test
    void keepsOtherScales() {
        PassCheck.keeps(PASS, b -> {
            Value x = b.floats("x", "N", 4);
            Value half = b.node("half", MUL, x, onePlusErf(b, b.node("d", DIV, x, b.scalar(2))));
            return b.graph(b.node("y", MUL, half, b.scalar(0.5)));
        });
        PassCheck.keeps(PASS, b -> {
            Value x = b.floats("x", "N", 4);
            Value half = b.node("part", MUL, x, onePlusErf(b, b.node("d", DIV, x, b.scalar(Math.sqrt(2)))));
            return b.graph(b.node("y", MUL, half, b.scalar(0.25)));
        });
    }

    @Test
    void keepsProductsThatOthersRead() {
        PassCheck.keeps(PASS, b -> {
            Value x = b.floats("x", "N", 4);
            Value half = b.node("half", MUL, x, onePlusErf(b, b.node("d", DIV, x, b.scalar(Math.sqrt(2)))));
            return b.graph(b.node("y", MUL, half, b.scalar(0.5)), half);
        });
    }

    private static Value onePlusErf(GraphBuilder b, Value v) {
        return b.node("one", ADD, b.node("erf", Unary.of(UnaryFn.ERF), v), b.scalar(1));
    }
}
