using FastNN.Tensors;

namespace FastNN.Kernels;

/// <summary>Filling and copying tensors.</summary>
internal interface IMemory
{
    /// <summary>x = value for every element.</summary>
    void Fill(Tensor x, float value);

    /// <summary>y (=|+=) x, element by element; the shapes may differ, the counts agree.</summary>
    void Copy(Tensor x, Tensor y, bool accumulate);
}
