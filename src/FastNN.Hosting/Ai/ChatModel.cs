namespace FastNN.Hosting;

/// <summary>
/// A chat's network as it was loaded, and the decoders over it: one a chat at a time, kept for the next. Thread-safe.
/// </summary>
/// <param name="network">The network.</param>
/// <param name="device">Where it runs.</param>
/// <param name="context">The most positions of a chat.</param>
internal sealed class ChatModel(Layer network, Device device, int context) : IDisposable
{
    private readonly Lock _lock = new();
    private readonly Stack<Decoder> _idle = new();
    private bool _isRetired;

    /// <summary>Computes one position, so that plans and memory are there and a network that cannot run is found out.</summary>
    public void WarmUp()
    {
        Decoder decoder = Take();
        try
        {
            decoder.Append([0]);
        }
        finally
        {
            Give(decoder);
        }
    }

    /// <summary>A decoder without a past.</summary>
    public Decoder Take()
    {
        Decoder? decoder;
        lock (_lock)
        {
            _idle.TryPop(out decoder);
        }

        if (decoder is null)
        {
            return network.CreateDecoder(device, context);
        }

        decoder.Rewind();
        return decoder;
    }

    /// <summary>Takes a decoder back.</summary>
    public void Give(Decoder decoder)
    {
        lock (_lock)
        {
            if (!_isRetired)
            {
                _idle.Push(decoder);
                return;
            }
        }

        decoder.Dispose();
    }

    /// <summary>Frees what no chat uses now; what the others use is freed when they give it back.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            _isRetired = true;
            while (_idle.TryPop(out Decoder? decoder))
            {
                decoder.Dispose();
            }
        }
    }
}
