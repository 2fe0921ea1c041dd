namespace FastNN.Hosting;

/// <summary>A model between two converters.</summary>
/// <param name="model">The model.</param>
/// <param name="write">Sets a call's inputs.</param>
/// <param name="read">Reads its outputs.</param>
internal sealed class ConvertingPredictor<TIn, TOut>(
    IModel model, Action<IModel, ModelCall, TIn> write, Func<IModel, ModelCall, TOut> read) : IPredictor<TIn, TOut>
{
    /// <inheritdoc/>
    public async ValueTask<TOut> PredictAsync(TIn input, CancellationToken cancellationToken = default)
    {
        // One version for the whole call, whatever becomes the highest meanwhile.
        IModel current = (model as NamedModel)?.Current ?? model;
        using ModelCall call = current.Begin();
        write(current, call, input);
        await call.RunAsync(cancellationToken).ConfigureAwait(false);
        return read(current, call);
    }
}
