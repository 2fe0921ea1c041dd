using FastNN.Tensors;

namespace FastNN.Kernels;

/// <summary>Element-wise operators of two operands.</summary>
internal enum BinaryOperator
{
    Add,
    Multiply,
}

internal partial interface IElements
{
    /// <summary>
    /// y = a op b with NumPy's broadcasting: axes align at the end, an extent of 1 repeats. y may be a or b where shapes agree.
    /// </summary>
    void BinaryForward(BinaryOperator op, Tensor a, Tensor b, Tensor y);

    /// <summary>
    /// The gradient for one operand: dA (=|+=) dY, or dY * other for Multiply, summed over the axes along which a was repeated.
    /// <paramref name="other"/> broadcasts to dY's shape. Without broadcasting dA may be dY when not accumulating.
    /// </summary>
    void BinaryBackward(BinaryOperator op, Tensor dY, Tensor other, Tensor dA, bool accumulate);
}
