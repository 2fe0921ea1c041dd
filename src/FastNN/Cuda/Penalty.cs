using FastNN.Tensors;

namespace FastNN.Cuda;

internal sealed unsafe partial class CudaDevice
{
    public void PenaltyForward(Tensor x, float l1, float l2, Tensor y) => throw new NotImplementedException();

    public void PenaltyBackward(Tensor x, float l1, float l2, Tensor dY, Tensor dX, bool accumulate) => throw new NotImplementedException();
}
