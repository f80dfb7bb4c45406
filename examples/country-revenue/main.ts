import { App } from "cdktf";
import { CountryRevenueStack } from "./country-revenue-stack";

const { ACCOUNT_ID: account, AWS_REGION: region } = process.env;
if (account === undefined || region === undefined) throw new Error("set ACCOUNT_ID and AWS_REGION");

const app = new App();
new CountryRevenueStack(app, "country-revenue", { account, region });
app.synth();
