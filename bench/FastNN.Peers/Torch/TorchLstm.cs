using TorchSharp.Modules;
using static TorchSharp.torch;

namespace FastNN.Peers;

/// <summary>An LSTM over sequences and a dense layer behind its last state, as <see cref="Testing.LstmClassifier"/>.</summary>
internal sealed class TorchLstm : nn.Module<Tensor, Tensor>
{
    private const long Features = 128, Units = 256, Classes = 10;

    private readonly LSTM _lstm;
    private readonly Linear _head;

    public TorchLstm()
        : base("lstm")
    {
        _lstm = nn.LSTM(Features, Units, batchFirst: true);
        _head = nn.Linear(Units, Classes);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        var (_, last, _) = _lstm.call(x);
        return _head.forward(last.squeeze(0));
    }
}
