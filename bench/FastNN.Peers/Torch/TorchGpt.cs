using TorchSharp.Modules;
using static TorchSharp.torch;

namespace FastNN.Peers;

/// <summary>A language model, as <see cref="Testing.Gpt"/>: 65 tokens, width 256, 4 layers, 4 heads, 128 positions.</summary>
internal sealed class TorchGpt : nn.Module<Tensor, Tensor>
{
    private const long Width = 256;

    private readonly TorchSharp.Modules.Embedding _tokens, _positions;
    private readonly ModuleList<TorchGptBlock> _blocks = [];
    private readonly TorchSharp.Modules.LayerNorm _norm;
    private readonly Linear _head;
    private readonly Tensor _places = arange(128, ScalarType.Int64);

    public TorchGpt()
        : base("gpt")
    {
        _tokens = nn.Embedding(65, Width);
        _positions = nn.Embedding(128, Width);
        for (var i = 0; i < 4; i++)
        {
            _blocks.Add(new TorchGptBlock(Width, 4));
        }

        _norm = nn.LayerNorm(Width);
        _head = nn.Linear(Width, 65, hasBias: false);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        x = _tokens.forward(x) + _positions.forward(_places);
        foreach (TorchGptBlock block in _blocks)
        {
            x = block.forward(x);
        }

        return _head.forward(_norm.forward(x));
    }
}

internal sealed class TorchGptBlock : nn.Module<Tensor, Tensor>
{
    private readonly long _heads;
    private readonly TorchSharp.Modules.LayerNorm _norm1, _norm2;
    private readonly Linear _packed, _projection, _first, _second;

    public TorchGptBlock(long width, long heads)
        : base("block")
    {
        _heads = heads;
        _norm1 = nn.LayerNorm(width);
        _packed = nn.Linear(width, 3 * width, hasBias: false);
        _projection = nn.Linear(width, width);
        _norm2 = nn.LayerNorm(width);
        _first = nn.Linear(width, 4 * width);
        _second = nn.Linear(4 * width, width);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        long batch = x.shape[0], time = x.shape[1], width = x.shape[2];
        Tensor[] parts = _packed.forward(_norm1.forward(x)).view(batch, time, 3, _heads, width / _heads).permute(2, 0, 3, 1, 4)
            .unbind(0);
        var y = nn.functional.scaled_dot_product_attention(parts[0], parts[1], parts[2], is_casual: true);
        x = x + _projection.forward(y.transpose(1, 2).reshape(batch, time, width));
        return x + _second.forward(nn.functional.gelu(_first.forward(_norm2.forward(x))));
    }
}
