namespace FastNN.Functions;

/// <summary>
/// What one step of an optimizer makes of one parameter, written once for both devices, as an <see cref="IUnaryFunction"/> is.
/// Options that change the text (Nesterov's momentum, AMSGrad) are generic flags, so that no element decides anything; numbers
/// are computed on the host and come as <see cref="UpdateScalars"/>. A row of <see cref="FunctionTable.Updates"/> makes it a
/// kernel of both devices.
/// </summary>
internal interface IUpdateFunction
{
    static abstract UpdateInfo Info { get; }

    /// <summary>How many numbers it remembers of each parameter, up to 3; a constant to the JIT.</summary>
    static abstract int States { get; }

    /// <summary>The parameter after the step, and what is remembered of it.</summary>
    /// <param name="p">The parameter.</param>
    /// <param name="g">Its gradient.</param>
    /// <param name="first">The first state, replaced; what the update has not is 0 and not kept.</param>
    /// <param name="second">The second.</param>
    /// <param name="third">The third.</param>
    /// <param name="s">The numbers of this step.</param>
    static abstract T Step<T>(T p, T g, ref T first, ref T second, ref T third, in UpdateScalars s)
        where T : struct, ILanes<T>;
}

/// <summary>What an optimizer remembers of each parameter.</summary>
/// <param name="Name">Its name in checkpoints.</param>
/// <param name="IsNeverNegative">Whether no step makes it negative, so that a file that does is refused.</param>
internal sealed record StateInfo(string Name, bool IsNeverNegative = false);

/// <summary>What is known of an update besides its text.</summary>
/// <param name="Name">Its name among the kernels.</param>
/// <param name="Is">What it is, in a sentence without an end.</param>
/// <param name="States">What it remembers, in the order of its text.</param>
internal sealed record UpdateInfo(string Name, string Is, params StateInfo[] States);

/// <summary>
/// The numbers of an update in one step, in the order in which the optimizer writes them: its options, and what follows from the
/// step. They lie in device memory, so that a captured step can be repeated while they change, with the guard behind them.
/// </summary>
internal readonly record struct UpdateScalars(
    float First, float Second, float Third, float Fourth, float Fifth, float Sixth, float Seventh)
{
    /// <summary>The most that an update can have.</summary>
    public const int Most = 7;

    /// <summary>Where the guard is: nothing is updated unless it is finite.</summary>
    public const int Guard = Most;

    /// <summary>Numbers and guard: what a group of parameters has in device memory.</summary>
    public const int Row = Most + 1;

    public Scalar A => new(First, 0);

    public Scalar B => new(Second, 1);

    public Scalar C => new(Third, 2);

    public Scalar D => new(Fourth, 3);

    public Scalar E => new(Fifth, 4);

    public Scalar F => new(Sixth, 5);

    public Scalar G => new(Seventh, 6);

    public static UpdateScalars Of(ReadOnlySpan<float> row) => new(row[0], row[1], row[2], row[3], row[4], row[5], row[6]);
}

/// <summary>Work for an update that the caller knows by its row only.</summary>
internal interface IUpdateVisitor<out TResult>
{
    TResult Visit<TUpdate>(UpdateFunction update)
        where TUpdate : struct, IUpdateFunction;
}

/// <summary>A row of the table: an update as a value.</summary>
internal abstract class UpdateFunction : TableRow
{
    private UpdateFunction(UpdateInfo info) => (Info, Kernel) = (info, $"optimizer_{info.Name.ToLowerInvariant()}");

    public UpdateInfo Info { get; }

    /// <summary>The name of its CUDA kernel, made once so that a launch allocates nothing.</summary>
    public string Kernel { get; }

    private protected override string RowName => Info.Name;

    private protected override IEnumerable<TableRow> Table => FunctionTable.Updates;

    /// <summary>The row of an update.</summary>
    public static UpdateFunction Of<TUpdate>()
        where TUpdate : struct, IUpdateFunction => Row<TUpdate>.Instance;

    public abstract TResult Accept<TResult>(IUpdateVisitor<TResult> visitor);

    private sealed class Row<TUpdate>() : UpdateFunction(TUpdate.Info)
        where TUpdate : struct, IUpdateFunction
    {
        public static readonly Row<TUpdate> Instance = new();

        public override TResult Accept<TResult>(IUpdateVisitor<TResult> visitor) => visitor.Visit<TUpdate>(this);
    }
}
