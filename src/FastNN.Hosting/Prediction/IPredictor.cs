namespace FastNN.Hosting;

/// <summary>
/// A model as a typed function. Resolved by the key of the model's name; thread-safe. Calls go through the model's queue, so
/// that callers at one time are computed together.
/// </summary>
/// <typeparam name="TIn">What goes in: <c>float[]</c> or <c>ReadOnlyMemory&lt;float&gt;</c> for a model of one float input, or
/// what a
/// converter takes.</typeparam>
/// <typeparam name="TOut">What comes out: <c>float[]</c>, <see cref="ClassPrediction"/>, or what a converter makes.</typeparam>
public interface IPredictor<in TIn, TOut>
{
    /// <summary>Computes an answer.</summary>
    /// <param name="input">The input; not to be changed before the answer is there.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <exception cref="InferenceException">There is no answer.</exception>
    ValueTask<TOut> PredictAsync(TIn input, CancellationToken cancellationToken = default);
}
