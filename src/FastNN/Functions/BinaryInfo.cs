namespace FastNN.Functions;

/// <summary>What a gradient of a function of two numbers reads besides the gradient behind it.</summary>
[Flags]
internal enum Operands
{
    None = 0,
    First = 1,
    Second = 2,
    Output = 4,
}

/// <summary>What the operands of a function may be.</summary>
[Flags]
internal enum OperandTypes
{
    Floats = 1,

    /// <summary>Int32. The text may only add, subtract, multiply, compare and choose.</summary>
    Integers = 2,

    /// <summary>Bool; the text sees 0 and 1, and its value is one of them.</summary>
    Truths = 4,
}

/// <summary>
/// A gradient as the kernels see it: those of simple form need no kernel of their own, and are summed over repeated axes in one
/// pass.
/// </summary>
internal enum GradientForm
{
    /// <summary>There is none.</summary>
    None,

    /// <summary>dY itself.</summary>
    Upstream,

    /// <summary>-dY.</summary>
    Negated,

    /// <summary>dY times the other operand.</summary>
    Product,

    /// <summary>
    /// What the function's text says. Where the operand repeats, it is written out in the result's shape before it is summed.
    /// </summary>
    Text,
}

/// <summary>The gradient for one operand.</summary>
/// <param name="Reads">For <see cref="GradientForm.Text"/>: what it reads.</param>
internal readonly record struct OperandGradient(GradientForm Form, Operands Reads = Operands.None)
{
    public static OperandGradient Upstream => new(GradientForm.Upstream);

    public static OperandGradient Negated => new(GradientForm.Negated);

    public static OperandGradient Product => new(GradientForm.Product);

    public static OperandGradient From(Operands reads) => new(GradientForm.Text, reads);

    /// <summary>What it reads, as the gradient of operand 0 or 1.</summary>
    public Operands ReadsAs(int operand) =>
        Form == GradientForm.Product ? operand == 0 ? Operands.Second : Operands.First : Reads;
}

/// <summary>What is known of a function of two numbers besides its text.</summary>
/// <param name="name">As users call it: value.Pow(other).</param>
/// <param name="what">What it is, in a sentence without an end, for documentation.</param>
/// <param name="symbol">The C# operator that records it, where there is one.</param>
/// <param name="isOperatorOnly">Whether there is no method beside that operator.</param>
/// <param name="hasNumberMethod">Whether the method takes a number as well as it is; Pow looks at its number first.</param>
/// <param name="first">The gradient for the first operand; none by default.</param>
/// <param name="second">The gradient for the second operand; none by default.</param>
/// <param name="commutative">Whether f(a, b) = f(b, a).</param>
/// <param name="takes">What the operands may be.</param>
/// <param name="givesTruth">Whether the value is 1 or 0, stored as Bool; otherwise it has the operands' type.</param>
/// <param name="isArithmetic">Whether it has CUDA kernels for rows and columns, which read what repeats once; the others go by
/// any axes.</param>
/// <param name="torch">PyTorch's name (torch.NAME).</param>
/// <param name="onnx">ONNX's operator.</param>
/// <param name="samples">Where tests take both operands from.</param>
/// <param name="secondSamples">Where the second comes from elsewhere.</param>
/// <param name="hasTies">Whether there is a kink or a step where the operands are equal.</param>
internal sealed class BinaryInfo(
    string name, string what, string? symbol = null, bool isOperatorOnly = false, bool hasNumberMethod = true,
    OperandGradient first = default,
    OperandGradient second = default, bool commutative = false, OperandTypes takes = OperandTypes.Floats, bool givesTruth = false,
    bool isArithmetic = false, string? torch = null,
    string? onnx = null, Samples? samples = null, Samples? secondSamples = null, bool hasTies = false)
{
    public string Name => name;

    public string Is => what;

    public string? Symbol => symbol;

    public bool IsOperatorOnly => isOperatorOnly;

    public bool HasNumberMethod => hasNumberMethod;

    public OperandGradient First => first;

    public OperandGradient Second => second;

    public bool IsDifferentiable => first.Form != GradientForm.None;

    public bool IsCommutative => commutative;

    public bool GivesTruth => givesTruth;

    public bool IsArithmetic => isArithmetic;

    public string? Torch => torch;

    public string? Onnx => onnx;

    public Samples Samples { get; } = samples ?? new(-2, 2);

    public Samples SecondSamples { get; } = secondSamples ?? samples ?? new(-2, 2);

    public bool HasTies => hasTies;

    /// <summary>The last part of the names of its kernels.</summary>
    public string KernelName { get; } = name.ToLowerInvariant();

    public bool Takes(OperandTypes type) => (takes & type) != 0;

    /// <summary>The gradient for operand 0 or 1.</summary>
    public OperandGradient Gradient(int operand) => operand == 0 ? first : second;
}
