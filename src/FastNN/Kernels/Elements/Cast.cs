using FastNN.Tensors;

namespace FastNN.Kernels;

internal partial interface IElements
{
    /// <summary>
    /// y (=|+=) x in y's type. Floats become integers by truncation, within the type's range, NaN as 0; integers wrap; everything
    /// but 0 is true. Floats round to nearest, ties to even. It adds to floats only.
    /// </summary>
    void Cast(Tensor x, Tensor y, bool accumulate);
}
