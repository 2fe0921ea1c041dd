namespace FastNN.Functions;

/// <summary>
/// A function of two numbers and its gradients, written once for both devices as an <see cref="IUnaryFunction"/> is. A row of
/// <see cref="FunctionTable"/> makes it an operator with broadcasting. Truth values are 1 and 0.
/// </summary>
internal interface IBinaryFunction
{
    static abstract BinaryInfo Info { get; }

    /// <summary>y = f(a, b). Where either is NaN, what PyTorch gives: NaN, unless the text says otherwise.</summary>
    static abstract T Value<T>(T a, T b)
        where T : struct, ILanes<T>;

    /// <summary>dA = dY df/da, from what <see cref="BinaryInfo.First"/> says; not asked for where there is no gradient.</summary>
    static virtual T FirstGradient<T>(T a, T b, T y, T dY)
        where T : struct, ILanes<T> => 0f;

    /// <summary>dB = dY df/db, from what <see cref="BinaryInfo.Second"/> says.</summary>
    static virtual T SecondGradient<T>(T a, T b, T y, T dY)
        where T : struct, ILanes<T> => 0f;
}

/// <summary>Work for a function that the caller knows by its row only.</summary>
internal interface IBinaryVisitor<out TResult>
{
    TResult Visit<TFunction>(BinaryFunction function)
        where TFunction : struct, IBinaryFunction;
}

/// <summary>A row of the table: a function of two numbers as a value.</summary>
internal abstract class BinaryFunction : TableRow
{
    private BinaryFunction(BinaryInfo info)
    {
        Info = info;
        Module = info.IsArithmetic ? "elementwise" : "binary";
        FlatKernel = $"{Module}_flat_{info.KernelName}";
        RowKernel = $"{Module}_row_{info.KernelName}";
        ColumnKernel = $"{Module}_column_{info.KernelName}";
        AxesKernel = $"{Module}_axes_{info.KernelName}";
        IntegersKernel = $"binary_integers_{info.KernelName}";
        TruthsKernel = $"binary_truths_{info.KernelName}";
        GradientKernels = [$"binary_gradient_a_{info.KernelName}", $"binary_gradient_b_{info.KernelName}"];
    }

    public BinaryInfo Info { get; }

    private protected override string RowName => Info.Name;

    private protected override IEnumerable<TableRow> Table => FunctionTable.Binary;

    /// <summary>
    /// Where its CUDA kernels of floats are, and the names of all, made once so that a launch allocates nothing: by how the
    /// operands lie, and by their type. What training needs at every turn is in a module of its own, so that it is compiled
    /// without the rest.
    /// </summary>
    public string Module { get; }

    public string FlatKernel { get; }

    public string RowKernel { get; }

    public string ColumnKernel { get; }

    public string AxesKernel { get; }

    public string IntegersKernel { get; }

    public string TruthsKernel { get; }

    /// <summary>By operand; of gradients whose form is <see cref="GradientForm.Text"/>.</summary>
    public IReadOnlyList<string> GradientKernels { get; }

    /// <summary>The name of its text.</summary>
    public abstract string TextName { get; }

    /// <summary>The row of a function.</summary>
    public static BinaryFunction Of<TFunction>()
        where TFunction : struct, IBinaryFunction => Row<TFunction>.Instance;

    public abstract TResult Accept<TResult>(IBinaryVisitor<TResult> visitor);

    public override string ToString() => Info.Name;

    private sealed class Row<TFunction>() : BinaryFunction(TFunction.Info)
        where TFunction : struct, IBinaryFunction
    {
        public static readonly Row<TFunction> Instance = new();

        public override string TextName => typeof(TFunction).Name;

        public override TResult Accept<TResult>(IBinaryVisitor<TResult> visitor) => visitor.Visit<TFunction>(this);
    }
}
