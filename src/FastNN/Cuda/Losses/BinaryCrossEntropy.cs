using FastNN.Tensors;

namespace FastNN.Cuda;

/// <summary>Binary cross-entropy from probabilities or logits.</summary>
internal sealed unsafe partial class CudaLosses
{
    public void BinaryCrossEntropyForward(
        bool fromLogits, Reduction reduction, Tensor x, Tensor targets, Tensor? weight, Tensor? positiveWeight, Tensor loss)
    {
        string kernel = (fromLogits, reduction) switch
        {
            (false, Reduction.None) => "binarycrossentropy_forward_each_probabilities",
            (true, Reduction.None) => "binarycrossentropy_forward_each_logits",
            (false, _) => "binarycrossentropy_forward_sum_probabilities",
            _ => "binarycrossentropy_forward_sum_logits",
        };
        ReduceLoss("binarycrossentropy", kernel, reduction, x, targets, weight, positiveWeight, loss);
    }

    public void BinaryCrossEntropyBackward(
        bool fromLogits, Reduction reduction, Tensor x, Tensor targets, Tensor? weight, Tensor? positiveWeight, Tensor dLoss, Tensor dX, bool accumulate)
    {
        string kernel = fromLogits ? "binarycrossentropy_backward_logits" : "binarycrossentropy_backward_probabilities";
        SpreadLoss("binarycrossentropy", kernel, reduction, x, targets, weight, positiveWeight, dLoss, dX, accumulate);
    }
}
