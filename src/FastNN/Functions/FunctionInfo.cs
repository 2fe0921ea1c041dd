namespace FastNN.Functions;

/// <summary>What a gradient is computed from besides the gradient behind it.</summary>
internal enum Reads
{
    /// <summary>Nothing: the slope is the same everywhere, or 0.</summary>
    Nothing,

    /// <summary>The function's argument, which must then be kept.</summary>
    Input,

    /// <summary>Its value; the argument may be overwritten.</summary>
    Output,
}

/// <summary>A parameter of a function.</summary>
/// <param name="Default">Its value where none is given.</param>
/// <param name="Is">What it is, in a sentence without an end, for documentation.</param>
/// <param name="Torch">Its name in PyTorch, where that is another.</param>
/// <param name="Onnx">Its name in ONNX, where that is another.</param>
/// <param name="Least">The least value that it may have.</param>
internal sealed record ScalarInfo(
    string Name, float Default, string Is, string? Torch = null, string? Onnx = null, float Least = float.NegativeInfinity);

/// <summary>Where a function's tests take their arguments from: an interval, without the neighborhoods of its kinks.</summary>
internal readonly record struct Samples(float From, float To, params float[] Kinks)
{
    /// <summary>How near to a kink no sample lies.</summary>
    public const float Distance = 0.05f;

    /// <summary>Numbers evenly over the interval, without those near a kink.</summary>
    public IEnumerable<double> Spread(int count)
    {
        (double from, double step, float[] kinks) = (From, ((double)To - From) / (count - 1), Kinks);
        return Enumerable.Range(0, count).Select(i => from + (i * step))
            .Where(x => Array.TrueForAll(kinks, kink => Math.Abs(x - kink) >= Distance));
    }
}

/// <summary>What is known of a function of one number besides its text.</summary>
/// <param name="name">As users call it: ReLU is Activation.ReLU and value.ReLU().</param>
/// <param name="what">What it is, in a sentence without an end, for documentation.</param>
/// <param name="scalars">The parameters, up to <see cref="Functions.Scalars.Most"/>.</param>
/// <param name="reads">What the gradient is computed from.</param>
/// <param name="readsBy">Where that depends on the parameters.</param>
/// <param name="activation">Whether it is an activation function: then <see cref="Activation"/> has it.</param>
/// <param name="epilogue">
/// Whether products and convolutions may apply it to their sums before they store them. Each such function makes the code of all
/// of those kernels longer, so only what often stands behind them may; it has one parameter at most.
/// </param>
/// <param name="torch">PyTorch's name (torch.NAME or torch.nn.functional.NAME).</param>
/// <param name="onnx">ONNX's operator.</param>
/// <param name="samples">Where tests take their arguments from.</param>
internal sealed class FunctionInfo(
    string name, string what, ScalarInfo[]? scalars = null, Reads reads = Reads.Input, Func<Scalars, Reads>? readsBy = null,
    bool activation = false, bool epilogue = false, string? torch = null, string? onnx = null, Samples? samples = null)
{
    public string Name => name;

    public string Is => what;

    public ScalarInfo[] Scalars { get; } = scalars ?? [];

    public bool IsActivation => activation;

    public bool MayBeEpilogue => epilogue;

    public string? Torch => torch;

    public string? Onnx => onnx;

    public Samples Samples { get; } = samples ?? new(-3, 3, 0);

    /// <summary>The last part of the names of its kernels.</summary>
    public string KernelName { get; } = name.ToLowerInvariant();

    /// <summary>The parameters where none are given.</summary>
    public Scalars Defaults => Functions.Scalars.Of(Array.ConvertAll(Scalars, scalar => scalar.Default));

    public Reads ReadsWith(Scalars given) => readsBy?.Invoke(given) ?? reads;
}
