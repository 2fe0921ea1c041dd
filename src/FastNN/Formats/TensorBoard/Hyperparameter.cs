namespace FastNN;

/// <summary>The value of a hyperparameter: a number, a truth value or a text, each of which converts to it.</summary>
public readonly record struct Hyperparameter
{
    private Hyperparameter(object value) => Value = value;

    /// <summary>The value: a double, a bool or a string; null of a default instance.</summary>
    public object? Value { get; }

    /// <summary>A number.</summary>
    /// <param name="value">The number.</param>
    public static implicit operator Hyperparameter(double value) => new(value);

    /// <summary>A truth value.</summary>
    /// <param name="value">Whether it is so.</param>
    public static implicit operator Hyperparameter(bool value) => new(value);

    /// <summary>A text, such as an optimizer's name.</summary>
    /// <param name="value">The text.</param>
    /// <exception cref="ArgumentNullException">The text is null.</exception>
    public static implicit operator Hyperparameter(string value)
    {
        ArgumentNullException.ThrowIfNull(value);
        return new(value);
    }

    /// <inheritdoc/>
    public override string ToString() => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{Value}");
}

/// <summary>A scalar by which runs with other hyperparameters are compared.</summary>
/// <param name="Tag">The tag under which the runs write it.</param>
/// <param name="Folder">The folder within a run's own that has it, such as "validation"; default "", the run's own.</param>
public readonly record struct ComparedScalar(string Tag, string Folder = "");
