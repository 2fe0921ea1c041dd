using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Cuda;

internal sealed unsafe partial class CudaDevice
{
    public void MeanSquaredErrorForward(Reduction reduction, Tensor x, Tensor targets, Tensor loss) => throw new NotImplementedException();

    public void MeanSquaredErrorBackward(Reduction reduction, Tensor x, Tensor targets, Tensor dLoss, Tensor dX, bool accumulate) => throw new NotImplementedException();
}
