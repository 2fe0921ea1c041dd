using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Cuda;

internal sealed unsafe partial class CudaDevice
{
    public void BinaryCrossEntropyForward(bool fromLogits, Reduction reduction, Tensor x, Tensor targets, Tensor? weight, Tensor? positiveWeight, Tensor loss) => throw new NotImplementedException();

    public void BinaryCrossEntropyBackward(bool fromLogits, Reduction reduction, Tensor x, Tensor targets, Tensor? weight, Tensor? positiveWeight, Tensor dLoss, Tensor dX, bool accumulate) => throw new NotImplementedException();
}
