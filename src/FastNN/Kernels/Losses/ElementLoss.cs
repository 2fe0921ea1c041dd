using FastNN.Functions;
using FastNN.Tensors;

namespace FastNN.Kernels;

internal partial interface ILosses
{
    /// <summary>result = the losses of single elements, in x's shape, or their sum over a divisor, [].</summary>
    /// <param name="loss">Which loss.</param>
    /// <param name="scalars">Its parameters.</param>
    /// <param name="divisor">Of the sum; null: nothing is reduced.</param>
    /// <param name="targets">Of x's shape.</param>
    /// <param name="weight">Of each element, x's shape, or null.</param>
    /// <param name="positiveWeight">Of the positive class, [x's last extent], where the loss takes it.</param>
    void ElementLossForward(
        LossFunction loss, Scalars scalars, long? divisor, Tensor x, Tensor targets, Tensor? weight, Tensor? positiveWeight,
        Tensor result);

    /// <summary>dX (=|+=) dLoss ([] or x's shape) times the loss's derivative by x, over the divisor.</summary>
    void ElementLossBackward(
        LossFunction loss, Scalars scalars, long? divisor, Tensor x, Tensor targets, Tensor? weight, Tensor? positiveWeight,
        Tensor dLoss, Tensor dX,
        bool accumulate);
}
