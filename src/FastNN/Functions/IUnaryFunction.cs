namespace FastNN.Functions;

/// <summary>
/// A function of one number and its gradient, written once: vectors compute it on the CPU, and the CUDA kernels' source is what
/// it prints when it is called with text (tools/FastNN.Generate). A row of <see cref="FunctionTable"/> makes it an operator of
/// both devices.
/// </summary>
internal interface IUnaryFunction
{
    static abstract FunctionInfo Info { get; }

    /// <summary>y = f(x). NaN stays NaN.</summary>
    static abstract T Value<T>(T x, Scalars s)
        where T : struct, ILanes<T>;

    /// <summary>dX = dY f', from x or y as <see cref="FunctionInfo.ReadsWith"/> says.</summary>
    static abstract T Gradient<T>(T xOrY, T dY, Scalars s)
        where T : struct, ILanes<T>;
}

/// <summary>Work for a function that the caller knows by its row only.</summary>
internal interface IUnaryVisitor<out TResult>
{
    TResult Visit<TFunction>(UnaryFunction function)
        where TFunction : struct, IUnaryFunction;
}

/// <summary>A row of the table: a function as a value.</summary>
internal abstract class UnaryFunction : TableRow
{
    private UnaryFunction(FunctionInfo info)
    {
        Info = info;
        ForwardKernel = $"activation_forward_{info.KernelName}";
        BackwardKernel = $"activation_backward_{info.KernelName}";
    }

    public FunctionInfo Info { get; }

    private protected override string RowName => Info.Name;

    private protected override IEnumerable<TableRow> Table => FunctionTable.Unary;

    /// <summary>Names of its CUDA kernels, made once so that a launch allocates nothing.</summary>
    public string ForwardKernel { get; }

    public string BackwardKernel { get; }

    /// <summary>The name of its text.</summary>
    public abstract string TextName { get; }

    /// <summary>The row of a function.</summary>
    public static UnaryFunction Of<TFunction>()
        where TFunction : struct, IUnaryFunction => Row<TFunction>.Instance;

    public abstract TResult Accept<TResult>(IUnaryVisitor<TResult> visitor);

    private sealed class Row<TFunction>() : UnaryFunction(TFunction.Info)
        where TFunction : struct, IUnaryFunction
    {
        public static readonly Row<TFunction> Instance = new();

        public override string TextName => typeof(TFunction).Name;

        public override TResult Accept<TResult>(IUnaryVisitor<TResult> visitor) => visitor.Visit<TFunction>(this);
    }
}
