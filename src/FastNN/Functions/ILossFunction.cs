namespace FastNN.Functions;

/// <summary>
/// The loss of one element against its target, and the loss's derivative by the element; written once for both devices, as an
/// <see cref="IUnaryFunction"/> is. What all of them have in common (a weight per element, sums and means) is the loops'
/// business. A row of <see cref="FunctionTable.Losses"/> makes it an operator.
/// </summary>
internal interface ILossFunction
{
    static abstract LossInfo Info { get; }

    /// <summary>Whether it reads a weight of the positive class, one per column; a constant to the JIT.</summary>
    static virtual bool TakesPositiveWeight => false;

    static abstract T Value<T>(T x, T target, T positiveWeight, Scalars s)
        where T : struct, ILanes<T>;

    static abstract T Slope<T>(T x, T target, T positiveWeight, Scalars s)
        where T : struct, ILanes<T>;
}

/// <summary>What the targets of a loss are.</summary>
internal enum LossTargets
{
    Numbers,

    /// <summary>Between 0 and 1.</summary>
    Probabilities,

    /// <summary>Their logarithms.</summary>
    LogProbabilities,

    /// <summary>1 or -1.</summary>
    Signs,

    /// <summary>Integers from 0 on.</summary>
    Counts,
}

/// <summary>What is known of a loss besides its text.</summary>
/// <param name="name">As errors call it; texts for two cases of one loss share it.</param>
/// <param name="what">What it is, in a sentence without an end.</param>
/// <param name="samples">Where tests take elements from.</param>
/// <param name="targets">And their targets.</param>
/// <param name="symmetric">Whether elements and targets may change places, so that targets have the same gradient.</param>
/// <param name="scalars">The parameters.</param>
/// <param name="torch">PyTorch's name (torch.nn.functional.NAME), for the golden files that need no more than the
/// parameters.</param>
internal sealed class LossInfo(
    string name, string what, Samples samples, LossTargets targets = LossTargets.Numbers, bool symmetric = false,
    ScalarInfo[]? scalars = null,
    string? torch = null)
{
    public string Name => name;

    public string Is => what;

    public Samples Samples => samples;

    public LossTargets Targets => targets;

    public bool IsSymmetric => symmetric;

    public ScalarInfo[] Scalars { get; } = scalars ?? [];

    public string? Torch => torch;

    /// <summary>The parameters where none are given.</summary>
    public Scalars Defaults => Functions.Scalars.Of(Array.ConvertAll(Scalars, scalar => scalar.Default));
}

/// <summary>Work for a loss that the caller knows by its row only.</summary>
internal interface ILossVisitor<out TResult>
{
    TResult Visit<TFunction>(LossFunction loss)
        where TFunction : struct, ILossFunction;
}

/// <summary>A row of the table: a loss of single elements as a value.</summary>
internal abstract class LossFunction : TableRow
{
    private LossFunction(LossInfo info, string text)
    {
        string name = text.ToLowerInvariant();
        (Info, TextName) = (info, text);
        (EachKernel, SumKernel, BackwardKernel) = (
            $"elementloss_each_{name}", $"elementloss_sum_{name}", $"elementloss_backward_{name}");
    }

    public LossInfo Info { get; }

    /// <summary>The name of its text.</summary>
    public string TextName { get; }

    public abstract bool TakesPositiveWeight { get; }

    /// <summary>Names of its CUDA kernels, made once so that a launch allocates nothing.</summary>
    public string EachKernel { get; }

    public string SumKernel { get; }

    public string BackwardKernel { get; }

    private protected override string RowName => TextName;

    private protected override IEnumerable<TableRow> Table => FunctionTable.Losses;

    /// <summary>The row of a loss.</summary>
    public static LossFunction Of<TFunction>()
        where TFunction : struct, ILossFunction => Row<TFunction>.Instance;

    public abstract TResult Accept<TResult>(ILossVisitor<TResult> visitor);

    private sealed class Row<TFunction>() : LossFunction(TFunction.Info, typeof(TFunction).Name)
        where TFunction : struct, ILossFunction
    {
        public static readonly Row<TFunction> Instance = new();

        public override bool TakesPositiveWeight => TFunction.TakesPositiveWeight;

        public override TResult Accept<TResult>(ILossVisitor<TResult> visitor) => visitor.Visit<TFunction>(this);
    }
}
