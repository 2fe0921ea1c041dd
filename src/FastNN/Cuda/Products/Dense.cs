using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Cuda;

/// <summary>
/// Dense layers as row-major matrix products. Small ones are one launch of our kernels, bias, activation and the bias's gradient
/// included, and one for all gradients; large ones are cuBLAS's and one launch more for those.
/// </summary>
internal sealed unsafe partial class CudaProducts
{
    /// <summary>Whether bias and activation are a launch behind the product.</summary>
    public static bool FinishesApart(long m, int k, int n) => !IsSmall(m, n, k);

    public void DenseForward(Tensor x, Tensor weight, Tensor? bias, Tensor y, Activation activation)
    {
        (int k, int n) = (weight.Shape[0], weight.Shape[1]);
        if (n > 0)
        {
            Multiply(
                Tensor.Index(y.Count / n), k, n, x.Address, weight.Address, y.Address,
                new EpilogueArguments(AddressOf(bias), activation.Id, activation.Scalars.First));
        }
    }

    public void DenseBackward(Tensor x, Tensor weight, Tensor dY, in DenseGradients gradients)
    {
        (int k, int n) = (weight.Shape[0], weight.Shape[1]);
        int m = n > 0 ? Tensor.Index(dY.Count / n) : k > 0 ? Tensor.Index(x.Count / k) : 0;
        nint dWeight = AddressOf(gradients.Weight), dBias = AddressOf(gradients.Bias), dX = AddressOf(gradients.X);

        // Where one value is several inputs, its gradient is written by one and added to by another: one after the other then.
        bool isApart = dX != dWeight && dX != dBias;
        if (k > 0 && n > 0 && dX != 0 && dWeight != 0 && isApart && IsSmall(m, k, n) && IsSmall(k, n, m))
        {
            MultiplyBackward(
                m, k, n, x.Address, weight.Address, dY.Address, dX, gradients.AccumulateX, dWeight, gradients.AccumulateWeight,
                dBias, gradients.AccumulateBias);
            return;
        }

        if (n > 0 && dWeight != 0)
        {
            MultiplyBackwardWeight(
                m, k, n, x.Address, dY.Address, dWeight, dBias, gradients.AccumulateWeight, gradients.AccumulateBias);
        }
        else if (n > 0 && dBias != 0)
        {
            SumOverRows(dY.Address, dY.Count, n, dBias, gradients.AccumulateBias);
        }

        if (k > 0 && dX != 0)
        {
            MultiplyBackwardData(m, k, n, dY.Address, weight.Address, dX, gradients.AccumulateX);
        }
    }
}
