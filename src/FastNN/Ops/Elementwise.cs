using FastNN.Functions;
using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Ops;

/// <summary>y = f(a, b) with broadcasting, of two values or of a value and a number.</summary>
/// <param name="Function">Which function.</param>
/// <param name="NumberBits">The number's bits, so that 0 and -0 are not equal; null where both operands are values.</param>
/// <param name="NumberFirst">Whether the number is the first operand.</param>
internal sealed record BinaryOp(BinaryFunction Function, int? NumberBits = null, bool NumberFirst = false) : Operator
{
    public override string Name => Function.Info.Name;

    /// <summary>Whether it is the sum of two values.</summary>
    public bool IsSum => !HasNumber && Function == BinaryFunction.Of<Functions.Add>();

    private bool HasNumber => NumberBits is not null;

    public override bool BackwardReadsInput(int input, ReadOnlySpan<bool> wanted) =>
        (Reads(wanted) & (Place(input) == 0 ? Operands.First : Operands.Second)) != 0;

    public override bool BackwardReadsOutput(int output, ReadOnlySpan<bool> wanted) => (Reads(wanted) & Operands.Output) != 0;

    public override bool ForwardInPlace(NodeTypes types, int input) => types.Inputs[input] == types.Outputs[0];

    // Backward writes the last input's gradient first, so the first input's may then overwrite dY.
    public override bool BackwardInPlace(NodeTypes types, int input) => input == 0 && types.Inputs[0] == types.Outputs[0];

    public override bool IsDifferentiable(int input) => Function.Info.IsDifferentiable;

    public override bool KeepsFeatures(int input) => true;

    public override bool TreatsExamplesAlone(ReadOnlySpan<bool> hasExamples, ReadOnlySpan<TensorType> inputs) => true;

    public override TensorType[] Infer(ReadOnlySpan<TensorType> inputs)
    {
        RequireInputs(inputs, HasNumber ? 1 : 2, HasNumber ? 1 : 2);
        for (int i = 0; i < inputs.Length; i++)
        {
            RequireOperand(inputs[i], i);
        }

        Shape shape = inputs[0].Shape;
        if (!HasNumber)
        {
            if (inputs[0].Type != inputs[1].Type)
            {
                throw new ShapeException(
                    $"{Name}: expected two operands of one type, got {inputs[0]} and {inputs[1]}; cast one of them.");
            }

            shape = Broadcasting.Of(Name, inputs[0].Shape, inputs[1].Shape);
        }

        return [new TensorType(shape, Function.Info.GivesTruth ? DType.Bool : inputs[0].Type)];
    }

    // Where an operand repeats, a gradient without a simple form is written out before it is summed.
    public override TensorType[] BackwardScratch(NodeTypes types, ReadOnlySpan<bool> wanted)
    {
        for (int i = 0; i < types.Inputs.Length; i++)
        {
            if (wanted[i] && IsText(i) && types.Inputs[i].Shape.Count != types.Outputs[0].Shape.Count)
            {
                return [types.Outputs[0]];
            }
        }

        return [];
    }

    public override void Forward(IKernels kernels, NodeTensors tensors) =>
        kernels.Elements.BinaryForward(Function, OperandOf(tensors, 0), OperandOf(tensors, 1), tensors.Output);

    public override void Backward(IKernels kernels, NodeTensors tensors)
    {
        Tensor dY = tensors.OutputGradient!;
        for (int i = tensors.Inputs.Length - 1; i >= 0; i--)
        {
            if (tensors.InputGradients[i] is not { } gradient)
            {
                continue;
            }

            bool summed = IsText(i) && gradient.Count != dY.Count;
            Tensor target = summed ? tensors.BackwardScratch[0] : gradient;
            kernels.Elements.BinaryBackward(
                Function, Place(i), OperandOf(tensors, 0), OperandOf(tensors, 1), tensors.Output, dY, target,
                !summed && tensors.Accumulate[i]);
            if (summed)
            {
                kernels.Elements.SumRepeated(target, gradient, tensors.Accumulate[i]);
            }
        }
    }

    /// <summary>Whether an input is the first or the second operand.</summary>
    private int Place(int input) => HasNumber ? (NumberFirst ? 1 : 0) : input;

    private bool IsText(int input) => Function.Info.Gradient(Place(input)).Form == GradientForm.Text;

    private Operand OperandOf(NodeTensors tensors, int place) =>
        !HasNumber ? tensors.Inputs[place]
        : (place == 0) == NumberFirst ? BitConverter.Int32BitsToSingle(NumberBits!.Value)
        : tensors.Inputs[0];

    private Operands Reads(ReadOnlySpan<bool> wanted)
    {
        var reads = Operands.None;
        for (int i = 0; i < wanted.Length; i++)
        {
            reads |= wanted[i] ? Function.Info.Gradient(Place(i)).ReadsAs(Place(i)) : Operands.None;
        }

        return reads;
    }

    private void RequireOperand(TensorType type, int input)
    {
        OperandTypes kind = type.Type switch
        {
            DType.Float32 => OperandTypes.Floats,
            DType.Int32 => OperandTypes.Integers,
            DType.Bool => OperandTypes.Truths,
            _ => 0,
        };
        if (!Function.Info.Takes(kind))
        {
            IEnumerable<string> expected = new (OperandTypes Kind, DType Type)[]
            {
                (OperandTypes.Floats, DType.Float32), (OperandTypes.Integers, DType.Int32), (OperandTypes.Truths, DType.Bool),
            }.Where(row => Function.Info.Takes(row.Kind)).Select(row => row.Type.ToString());
            throw new ShapeException(
                $"{Name}: expected input {input} of type {string.Join(" or ", expected)}, got {type}; cast it first.");
        }

        // A float holds integers up to 2^24 exactly.
        float number = BitConverter.Int32BitsToSingle(NumberBits ?? 0);
        bool fits = kind switch
        {
            OperandTypes.Integers => float.IsInteger(number) && MathF.Abs(number) <= 1 << 24,
            OperandTypes.Truths => number is 0 or 1,
            _ => true,
        };
        if (HasNumber && !fits)
        {
            throw new ShapeException(
                $"{Name}: expected {(kind == OperandTypes.Truths ? "0 or 1" : "an integer up to 2^24 in size")} beside {type}, got {number}.");
        }
    }
}
