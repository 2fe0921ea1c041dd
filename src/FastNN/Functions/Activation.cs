using System.Globalization;
using FastNN.Functions;

namespace FastNN;

/// <summary>
/// An activation function with its parameters: <c>Activation.ReLU</c>, <c>Activation.LeakyReLU(0.2f)</c>. Alone, or fused behind
/// a dense layer or convolution. The default is <see cref="None"/>. Two are equal if they are one function with the same
/// parameters.
/// </summary>
public readonly partial struct Activation : IEquatable<Activation>
{
    private readonly int _id;
    private readonly Scalars _scalars;

    internal Activation(UnaryFunction function, Scalars scalars)
    {
        for (int i = 0; i < function.Info.Scalars.Length; i++)
        {
            ScalarInfo info = function.Info.Scalars[i];
            if (!(scalars[i] >= info.Least))
            {
                throw new ArgumentOutOfRangeException(
                    info.Name, scalars[i],
                    $"{function.Info.Name}: expected {info.Name} of at least {info.Least.ToString(CultureInfo.InvariantCulture)}.");
            }
        }

        (_id, _scalars) = (function.Id, scalars);
    }

    /// <summary>The identity.</summary>
    public static Activation None => default;

    /// <summary>The function's name, such as "ReLU".</summary>
    public string Name => IsNone ? nameof(None) : Function.Info.Name;

    internal bool IsNone => _id == 0;

    /// <summary>Its place in the table of functions; 0 for none.</summary>
    internal int Id => _id;

    internal Scalars Scalars => _scalars;

    /// <summary>The row of the function.</summary>
    internal UnaryFunction Function =>
        IsNone
            ? throw new InvalidOperationException("Activation.None is not a function to compute: use the value itself.")
            : FunctionTable.Unary[_id - 1];

    /// <summary>What the gradient is computed from.</summary>
    internal Reads Reads => Function.Info.ReadsWith(_scalars);

    /// <summary>Whether the gradient can be computed without the argument.</summary>
    internal bool ForgetsInput => IsNone || Reads != Reads.Input;

    /// <summary>A function with its default parameter, where it is written without one.</summary>
    /// <param name="function">Such as <c>Activation.LeakyReLU</c>.</param>
    public static implicit operator Activation(ParametricActivation function) => FromParametricActivation(function);

    /// <summary>Whether both are one function with the same parameters.</summary>
    /// <param name="left">One.</param>
    /// <param name="right">The other.</param>
    public static bool operator ==(Activation left, Activation right) => left.Equals(right);

    /// <summary>Whether they differ, in function or parameters.</summary>
    /// <param name="left">One.</param>
    /// <param name="right">The other.</param>
    public static bool operator !=(Activation left, Activation right) => !left.Equals(right);

    /// <summary>A function with its default parameter.</summary>
    /// <param name="function">Such as <c>Activation.LeakyReLU</c>.</param>
    /// <returns>The function.</returns>
    public static Activation FromParametricActivation(ParametricActivation function)
    {
        ArgumentNullException.ThrowIfNull(function);
        return function();
    }

    /// <inheritdoc/>
    public bool Equals(Activation other) => _id == other._id && _scalars == other._scalars;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is Activation other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(_id, _scalars);

    /// <summary>The name, with the parameters where they are not the default: "LeakyReLU(0.2)".</summary>
    public override string ToString()
    {
        if (IsNone || _scalars == Function.Info.Defaults)
        {
            return Name;
        }

        Scalars scalars = _scalars;
        IEnumerable<string> values = Function.Info.Scalars.Select((_, i) => scalars[i].ToString(CultureInfo.InvariantCulture));
        return $"{Name}({string.Join(", ", values)})";
    }

    /// <summary>A function with these parameters.</summary>
    internal static Activation Of<TFunction>(params ReadOnlySpan<float> scalars)
        where TFunction : struct, IUnaryFunction => new(UnaryFunction.Of<TFunction>(), Scalars.Of(scalars));

    /// <summary>A function with one parameter.</summary>
    private static ParametricActivation With<TFunction>()
        where TFunction : struct, IUnaryFunction
    {
        float standard = UnaryFunction.Of<TFunction>().Info.Defaults.First;
        return parameter => Of<TFunction>(parameter ?? standard);
    }
}

/// <summary>
/// An activation function with one parameter: called it has the parameter that is given, else its default, so that both
/// <c>Activation.LeakyReLU(0.2f)</c> and <c>Activation.LeakyReLU</c> can be written.
/// </summary>
/// <param name="parameter">Null: the default.</param>
/// <returns>The function with that parameter.</returns>
public delegate Activation ParametricActivation(float? parameter = null);
