package dev.tenon;

import java.util.List;

/** The model uses operators that Tenon does not have; all of them are named at once. */
public class UnsupportedOperatorException extends TenonException {
    private static final long serialVersionUID = 1L;

    private final transient List<String> operators;

    /** @param operators one line an operator: domain, name, version, the first node that uses it, and why it is not supported */
    public UnsupportedOperatorException(String model, List<String> operators) {
        super(model + ": " + operators.size() + " operator(s) are not supported:\n  " + String.join("\n  ", operators));
        this.operators = List.copyOf(operators);
    }

    /** One line an operator. */
    public List<String> operators() {
        return operators == null ? List.of() : operators;
    }
}
