using FastNN.Functions;
using FastNN.Tensors;

namespace FastNN.Kernels;

/// <summary>An operand of a function of two numbers: a tensor, or one number without memory.</summary>
internal readonly record struct Operand(Tensor? Tensor, float Number)
{
    public Shape Shape => Tensor is null ? default : Tensor.Shape;

    public DType? Type => Tensor?.Type;

    public static implicit operator Operand(Tensor tensor) => new(tensor, 0);

    public static implicit operator Operand(float number) => new(null, number);
}

internal partial interface IElements
{
    /// <summary>
    /// y = f(a, b) with NumPy's broadcasting: axes align at the end, an extent of 1 repeats. Operands have one of the types that
    /// the function's row names; y has that type, or Bool where the function gives truth. y may be a or b where shapes and types
    /// agree.
    /// </summary>
    void BinaryForward(BinaryFunction function, Operand a, Operand b, Tensor y);

    /// <summary>
    /// The gradient for operand 0 or 1: dX (=|+=) dY df/dx, summed over the axes along which the operand was repeated; that only
    /// where its form is not <see cref="GradientForm.Text"/>. Operands that the row does not name as read, and y, are not
    /// touched. Without broadcasting of this operand dX may be dY when not accumulating.
    /// </summary>
    void BinaryBackward(
        BinaryFunction function, int operand, Operand a, Operand b, Tensor y, Tensor dY, Tensor dX, bool accumulate);

    /// <summary>dX (=|+=) the sum of dY over the axes along which dX was repeated.</summary>
    void SumRepeated(Tensor dY, Tensor dX, bool accumulate);
}
