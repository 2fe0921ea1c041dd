using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Cuda;

internal sealed unsafe partial class CudaDevice
{
    public void ActivationForward(Activation activation, float slope, Tensor x, Tensor y) => throw new NotImplementedException();

    public void ActivationBackward(Activation activation, float slope, Tensor xOrY, Tensor dY, Tensor dX, bool accumulate) => throw new NotImplementedException();
}
