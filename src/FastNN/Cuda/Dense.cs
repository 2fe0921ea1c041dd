using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Cuda;

internal sealed unsafe partial class CudaDevice
{
    public void DenseForward(Tensor x, Tensor weight, Tensor? bias, Tensor y, Activation activation, float slope) => throw new NotImplementedException();

    public void DenseBackwardData(Tensor dY, Tensor weight, Tensor dX, bool accumulate) => throw new NotImplementedException();

    public void DenseBackwardWeight(Tensor x, Tensor dY, Tensor? dWeight, Tensor? dBias, bool accumulateWeight, bool accumulateBias) => throw new NotImplementedException();
}
