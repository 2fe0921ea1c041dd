// Fits a damped wave, with the width and the learning rate that a search finds best.
open System
open FastNN
open FastNN.Data
open FastNN.Search

let wave x = exp (-x * x) * sin (4f * x)

let points = Array.init 256 (fun i -> 4f * float32 i / 255f - 2f)

/// Trains a network of one hidden layer; the second of the two is its error on points that it has not seen.
let fit (device: Device) (width: int) (rate: float32) (epochs: int) =
    let table = Dataset.FromFloats(points, [| 1 |], Array.map wave points, [| 1 |])
    let parts = table.Split(0.25, 1UL)
    let layers: Layer[] = [| Dense(width, Activation.Tanh); Dense(width, Activation.Tanh); Dense 1 |]
    let model = Sequential layers
    use trainer = new Trainer(model, device, Loss.MeanSquaredError, Adam rate, 1UL)
    trainer.Fit(parts.Train, epochs, 16) |> ignore
    model, trainer.Evaluate(parts.Test).Loss

[<EntryPoint>]
let main _ =
    use device = Device.Cpu 1
    let space: SearchParameter list = [ IntParameter("width", 4, 64, true); FloatParameter("rate", 1e-4, 1e-1, true) ]
    let study = Study(SearchSpace space, seed = 1UL)
    study.Optimize((fun trial -> snd (fit device (trial.Int "width") (float32 (trial.Float "rate")) 20)), 12)
    let best = study.Best
    printfn $"""the best of 12 trials has {best.Int "width"} units and the rate {best.Float "rate":F4}"""

    let model, error = fit device (best.Int "width") (float32 (best.Float "rate")) 100
    use predictor = model.CreatePredictor device
    let worst = points |> Seq.map (fun x -> abs (predictor.Predict(ReadOnlySpan [| x |])[0] - wave x)) |> Seq.max
    printfn $"mean squared error {error:F5}, worst error {worst:F2}"
    if worst < 0.2f then 0 else 1
