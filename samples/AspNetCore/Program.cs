// Serves the model that the Console sample trains, by an endpoint of its own and by the Open Inference Protocol:
// tumor-service [--model FILE.onnx] [--urls http://127.0.0.1:8080] [--try true, which asks itself once and ends]
using FastNN.Hosting;
using TumorService;

WebApplicationBuilder builder = WebApplication.CreateBuilder(args);
string file = builder.Configuration["model"] ?? "tumors.onnx";
builder.Services.AddFastNN()
    .AddModel("tumors", options =>
    {
        options.FromFile(file);
        options.Labels.Add("malignant");
        options.Labels.Add("benign");
    });

WebApplication app = builder.Build();
app.MapFastNN();
app.MapPost(
    "/diagnosis",
    (
        [FromKeyedServices("tumors")] IPredictor<float[], ClassPrediction> tumors, float[] measurements,
        CancellationToken cancellation) => tumors.PredictAsync(measurements, cancellation));

await app.StartAsync();
if (app.Configuration.GetValue<bool>("try"))
{
    await Trial.RunAsync(new Uri(app.Urls.First()), Console.Out);
    await app.StopAsync();
}
else
{
    await app.WaitForShutdownAsync();
}
