using FastNN.Tensors;

namespace FastNN.Kernels;

/// <summary>Options of stochastic gradient descent that do not change from step to step.</summary>
internal readonly record struct SgdOptions(float Momentum, float Dampening, float WeightDecay, bool Nesterov);

/// <summary>Options of Adam and AdamW that do not change from step to step.</summary>
internal readonly record struct AdamOptions(float Beta1, float Beta2, float Epsilon, float WeightDecay, bool Decoupled, bool AmsGrad);

/// <summary>
/// One update of all parameters: they, their gradients and each state lie in flat tensors of equal length,
/// so that one pass (one launch) serves the whole network. The scalars are four floats in device memory, so that a captured launch
/// can be repeated while they change; where the last is not finite nothing is updated: the loss goes there, and a step whose loss is
/// NaN leaves parameters and state as they were.
/// </summary>
internal partial interface IUpdates
{
    /// <summary>
    /// g += weightDecay * p; v = momentum * v + (1 - dampening) * g (v = g at the first step); p -= lr * (v, or g + momentum * v
    /// with Nesterov) (Sutskever et al. 2013, as PyTorch's SGD).
    /// </summary>
    /// <param name="scalars">Float32 [4]: learning rate, 1 at the first step else 0, unused, the loss.</param>
    /// <param name="velocity">Null without momentum.</param>
    void SgdUpdate(in SgdOptions options, Tensor scalars, Tensor parameters, Tensor gradients, Tensor? velocity);

    /// <summary>
    /// Adam (Kingma and Ba, 2015) or, decoupled, AdamW (Loshchilov and Hutter, 2019), as PyTorch computes them:
    /// p -= stepSize * m / (sqrt(v) / sqrt(1 - beta2^t) + epsilon).
    /// </summary>
    /// <param name="scalars">Float32 [4]: learning rate, lr / (1 - beta1^t), sqrt(1 - beta2^t), the loss.</param>
    /// <param name="maximum">Running maximum of v, null without AMSGrad.</param>
    void AdamUpdate(in AdamOptions options, Tensor scalars, Tensor parameters, Tensor gradients, Tensor mean, Tensor variance, Tensor? maximum);
}
