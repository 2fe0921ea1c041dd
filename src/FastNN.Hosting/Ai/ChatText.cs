namespace FastNN.Hosting;

/// <summary>The text of an answer as it grows: what of it can be shown, and whether a stop sequence ends it.</summary>
/// <param name="decode">Makes text of tokens.</param>
/// <param name="stops">Sequences that end the answer without being in it.</param>
internal sealed class ChatText(Func<IReadOnlyList<int>, string> decode, IList<string> stops)
{
    private readonly List<int> _tokens = [];
    private string _text = "";
    private int _shown;
    private bool _isStopped;

    /// <summary>How many tokens there are.</summary>
    public int Count => _tokens.Count;

    /// <summary>Adds a token.</summary>
    /// <returns>False where the answer ends with it.</returns>
    public bool Add(int token)
    {
        _tokens.Add(token);

        // As a whole: a letter may be made of several tokens, and a tokenizer may join words by what stands before.
        _text = decode(_tokens);
        foreach (string stop in stops)
        {
            int place = stop.Length == 0 ? -1 : _text.IndexOf(stop, Math.Max(0, _shown - stop.Length), StringComparison.Ordinal);
            if (place >= 0)
            {
                (_text, _isStopped) = (_text[..place], true);
            }
        }

        return !_isStopped;
    }

    /// <summary>What can be shown and was not yet.</summary>
    /// <param name="isEnd">Whether nothing comes behind it.</param>
    public string Take(bool isEnd)
    {
        int end = isEnd ? _text.Length : Settled();
        string text = end > _shown ? _text[_shown..end] : "";
        _shown = Math.Max(_shown, end);
        return text;
    }

    /// <summary>How much of the text is sure: not half a letter, and not what may become a stop sequence.</summary>
    private int Settled()
    {
        int end = _text.AsSpan().TrimEnd('\uFFFD').Length;
        foreach (string stop in stops)
        {
            for (int length = Math.Min(stop.Length - 1, end); length > 0; length--)
            {
                if (_text.AsSpan(0, end).EndsWith(stop.AsSpan(0, length), StringComparison.Ordinal))
                {
                    end -= length;
                    break;
                }
            }
        }

        return end;
    }
}
