using FastNN.Tensors;

namespace FastNN.Cuda;

/// <summary>
/// Dense layers as row-major matrix products. Small ones are one launch of our kernels, bias, activation and the bias's gradient
/// included; large ones are cuBLAS's and one launch more for those.
/// </summary>
internal sealed unsafe partial class CudaProducts
{
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

    public void DenseBackwardData(Tensor dY, Tensor weight, Tensor dX, bool accumulate)
    {
        (int k, int n) = (weight.Shape[0], weight.Shape[1]);
        if (k > 0)
        {
            MultiplyBackwardData(Tensor.Index(dX.Count / k), k, n, dY.Address, weight.Address, dX.Address, accumulate);
        }
    }

    public void DenseBackwardWeight(
        Tensor x, Tensor dY, Tensor? dWeight, Tensor? dBias, bool accumulateWeight, bool accumulateBias)
    {
        if (dWeight is null)
        {
            if (dBias is { Count: > 0 })
            {
                SumOverRows(dY.Address, dY.Count, Tensor.Index(dBias.Count), dBias.Address, accumulateBias);
            }

            return;
        }

        (int k, int n) = (dWeight.Shape[0], dWeight.Shape[1]);
        if (n > 0)
        {
            MultiplyBackwardWeight(
                Tensor.Index(dY.Count / n), k, n, x.Address, dY.Address, dWeight.Address, AddressOf(dBias), accumulateWeight,
                accumulateBias);
        }
    }
}
