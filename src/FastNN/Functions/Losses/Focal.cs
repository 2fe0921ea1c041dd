using System.Runtime.CompilerServices;

namespace FastNN.Functions;

/// <summary>
/// The focal loss of Lin et al. (2017) of logits, as torchvision's sigmoid_focal_loss: with p = sigmoid(x), the probability of
/// the other class q = p (1 - t) + (1 - p) t and the class's weight w: w q^gamma times the binary cross-entropy.
/// </summary>
internal readonly struct FocalError : ILossFunction
{
    public static LossInfo Info => new(
        "Focal", "w q^gamma times the binary cross-entropy, q the probability of what the target is not", new(-4, 4, 0),
        LossTargets.Probabilities,
        scalars:
        [
            new("gamma", 2f, "How much less examples cost that are right"), new("positive", 0.25f, "The weight of the class 1"),
            new("negative", 0.75f, "The weight of the class 0")]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T x, T target, T positiveWeight, Scalars s)
        where T : struct, ILanes<T>
    {
        T weight = (target * s.B) + ((1f - target) * s.C);
        return weight * Power(Other(x, target), s.A) * LogitLoss.Value(x, target, positiveWeight, s);
    }

    // (q^gamma c)' = q^gamma c' + gamma q^(gamma - 1) q' c with q' = p (1 - p) (1 - 2 t).
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Slope<T>(T x, T target, T positiveWeight, Scalars s)
        where T : struct, ILanes<T>
    {
        T weight = (target * s.B) + ((1f - target) * s.C);
        T q = Other(x, target), yes = Elementary.Sigmoid(x), no = Elementary.Sigmoid(-x);
        T inner = s.A * (yes * no / q) * (1f - (target + target)) * LogitLoss.Value(x, target, positiveWeight, s);
        return weight * Power(q, s.A) * (yes - target + inner);
    }

    // At least the smallest normal number, so that its logarithm is finite; NaN stays NaN.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T Other<T>(T x, T target)
        where T : struct, ILanes<T> =>
        T.Max(1.17549435e-38f, (Elementary.Sigmoid(x) * (1f - target)) + (Elementary.Sigmoid(-x) * target));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T Power<T>(T q, Scalar gamma)
        where T : struct, ILanes<T> => Elementary.Exp(gamma * T.Log(q));
}
