package dev.tenon.cli;

import dev.tenon.Shape;
import dev.tenon.ShapeException;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** An input's shape as the command line takes it: {@code name=1x3x224x224}; {@code name=scalar} for rank 0. */
record NamedShape(String name, long[] dims) {
    static NamedShape parse(String text) {
        int equals = text.lastIndexOf('=');
        if (equals < 1) {
            throw new TypeConversionException("'" + text + "' was expected to look like NAME=1x3x224x224");
        }
        String shape = text.substring(equals + 1);
        try {
            String[] parts = shape.equals("scalar") ? new String[0] : shape.split("[x,]", -1);
            long[] dims = new long[parts.length];
            for (int i = 0; i < parts.length; i++) {
                dims[i] = Long.parseLong(parts[i].strip());
            }
            return new NamedShape(text.substring(0, equals), Shape.of(dims).dims());
        } catch (NumberFormatException e) {
            throw new TypeConversionException("shape '" + shape + "' was expected to look like 1x3x224x224");
        } catch (ShapeException e) {
            throw new TypeConversionException(e.getMessage());
        }
    }

    static final class Converter implements ITypeConverter<NamedShape> {
        @Override
        public NamedShape convert(String text) {
            return parse(text);
        }
    }
}
